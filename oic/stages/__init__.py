"""The stages: each module defines one, with its slice and its `KIND`. What it does when it runs is in `oic.runs`."""
