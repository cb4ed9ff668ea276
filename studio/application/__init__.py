"""The composition root and its use cases: the only room that knows every other.

``location`` and ``reading`` are light and serve commands that only look; ``local`` owns a state folder and runs the
engine in this process; ``remote`` sends to the process that owns it. Both stand behind `studio.application.studio.Studio`.
"""
