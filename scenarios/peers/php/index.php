<?php
// The stream of PHP's tutorials: echo, flush, sleep, on PHP's own server with some workers.
// Published events wait in a file, since requests share no memory.

$path = parse_url($_SERVER["REQUEST_URI"], PHP_URL_PATH);
$directory = getenv("PEER_TMP");

function send(string $data): void
{
    echo "data: " . $data . "\n\n";
    if (ob_get_level() > 0) {
        ob_end_flush();
    }
    flush();
}

/** Counts the producers that are alive. */
function counted(callable $produce): void
{
    global $directory;
    header("Content-Type: text/event-stream");
    header("Cache-Control: no-cache");
    header("X-Accel-Buffering: no");
    $mark = tempnam($directory, "active-");
    register_shutdown_function(fn() => unlink($mark));
    set_time_limit(0);
    $produce();
}

if ($path === "/stream") {
    counted(function () {
        for ($n = 1; !connection_aborted(); $n++) {
            send("tick $n");
            usleep(200_000);
        }
    });
} elseif ($path === "/published") {
    counted(function () use ($directory) {
        $file = fopen("$directory/published", "a+");
        fseek($file, 0, SEEK_END);
        flush();
        while (!connection_aborted()) {
            while (($line = fgets($file)) !== false) {
                send(json_decode($line));
            }
            usleep(50_000);
            fseek($file, ftell($file)); // forgets that the end was met
        }
    });
} elseif ($path === "/publish") {
    $line = json_encode(file_get_contents("php://input"), JSON_THROW_ON_ERROR) . "\n";
    file_put_contents("$directory/published", $line, FILE_APPEND | LOCK_EX);
    http_response_code(204);
} elseif ($path === "/active") {
    header("Content-Type: application/json");
    echo json_encode(["active" => count(glob("$directory/active-*"))]);
} else {
    http_response_code(404);
}
