"""The LVS over HTTP: reads and writes, and the fields it sends that nobody knows."""
