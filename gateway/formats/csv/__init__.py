"""CSV: what leaves of a file (`minimiser`), of a zip of files that refer to each other (`sets`), how a file is cut into
its rows as it arrives (`read`), and which columns are new in a source (`drift`)."""

from gateway.formats.csv.archive import SetFile, SetLimits, files_of
from gateway.formats.csv.drift import unknown_columns, unknown_in_set
from gateway.formats.csv.flat import Flat
from gateway.formats.csv.minimiser import CsvMinimiser, Sheet
from gateway.formats.csv.opened import Leg, Opened
from gateway.formats.csv.read import CsvFile, Limits, Table, table
from gateway.formats.csv.sample import sample_of
from gateway.formats.csv.sets import CsvSet, MinimisedSet, set_of

__all__ = [
    "CsvFile",
    "CsvMinimiser",
    "CsvSet",
    "Flat",
    "Leg",
    "Limits",
    "MinimisedSet",
    "Opened",
    "SetFile",
    "SetLimits",
    "Sheet",
    "Table",
    "files_of",
    "sample_of",
    "set_of",
    "table",
    "unknown_columns",
    "unknown_in_set",
]
