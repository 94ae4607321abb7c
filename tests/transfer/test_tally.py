"""What became of a file, counted: what is kept of it for a later run of the same command."""

from __future__ import annotations

from gateway.core.release.faults import Fault
from gateway.transfer.tally import Tally, kept, recalled

FAULT = Fault("leerling.nummer", "text")


def test_tally_that_was_kept_is_recalled_with_where_records_are_malformed() -> None:
    tally = Tally(handed_in=3, malformed=2)
    tally.faults[FAULT] = 2

    assert recalled(kept(tally)) == tally


def test_faults_of_two_files_are_added() -> None:
    tally, other = Tally(), Tally()
    tally.faults[FAULT], other.faults[FAULT] = 2, 3

    tally.join(other)

    assert tally.faults == {FAULT: 5}
