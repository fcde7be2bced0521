"""Bytes that are whole: files written aside, folders listed, archives unpacked."""
