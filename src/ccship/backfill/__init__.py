"""Ships existing sessions, in one process or several.

Input: sessions by destination. Output: one report. Does not read the hook's requests.
"""
