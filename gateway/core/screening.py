"""May this pupil be in this answer? Step 9 of the gate order, and 14 as far as facts exist (requirements 0.4).

Pure. Screened from the roster at the moment of emission (house rule 4). Leaves out: delivery-level rules
(`decide`), field projection (`projection`).
"""
