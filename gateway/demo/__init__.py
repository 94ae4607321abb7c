"""A fictional school's LVS, made from a seed number: for the demo, the tests and the benches.

Holds no rule of the gateway; of the gateway only the command `gateway demo` imports it. No real person's data.
"""
