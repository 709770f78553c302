"""What travels between clients and server: messages, codecs, errors, limits, and the conversation they make.

No sockets and no clock in here; `protocol/README.md` describes the same for clients in other languages.
"""
