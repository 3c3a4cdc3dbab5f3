from flask_sse import Message

for message in (
    Message("a\u2028b"),
    Message(""),
    Message(" a"),
    Message("a\n"),
    Message("hello", type="x\ndata: forged\n\nevent: y"),
):
    print(repr(str(message)))
