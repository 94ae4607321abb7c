"""A fictional school's LVS, made from a seed number: for the demo, the tests and the benches.

Holds no rule of the gateway, and the gateway imports nothing of it. No real person's data.
"""
