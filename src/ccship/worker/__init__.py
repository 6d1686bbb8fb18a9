"""The background process of the hook: ships the sessions that hooks requested.

Input: request files. Output: deliveries and a log. Prints nothing and delays no prompt.
"""
