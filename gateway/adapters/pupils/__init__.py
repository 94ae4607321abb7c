"""Who is who: internal ids and their links, the roster, and what the LVS itself says about its pupils."""
