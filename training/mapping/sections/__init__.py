"""The sections of a mapping file, each read and checked in a module of its own.

``settings`` lists every setting there is, ``checker`` refuses what is unknown or of a wrong type,
``source``, ``columns`` and ``rules`` turn one kind of section each into the parts of a Mapping.
"""
