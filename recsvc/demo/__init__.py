"""The whole product on one machine, for a newcomer: trains, serves, asks once and shows the answer.

It drives the commands that operators use, as processes; it knows no inside of the service.
"""
