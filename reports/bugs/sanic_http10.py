from sanic import Sanic

app = Sanic("http10")


@app.get("/")
async def stream(request):
    response = await request.respond(content_type="text/event-stream")
    await response.send("data: hello\n\n")


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=8080, single_process=True)
