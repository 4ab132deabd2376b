"""What a campaign earned, and how sure that is.

``arms`` adds up what each side did, ``effect`` compares them, ``normal`` holds the distributions,
``sequential`` may be read every day, ``planning`` says before the launch what can be seen,
``credit`` gives each conversion to one touch, ``review`` puts it together, ``withholding`` takes
out what could point at a person; ``rankings`` compares rankings in the same way.
"""
