"""A gRPC server and a client that asks it everything once, with the library that services use (grpcio).

serve [CERTIFICATE KEY]   prints its port, and serves until its standard input ends
ask ADDRESS [CA]          asks through ADDRESS, and ends with 0 if everything is as it should be

Messages are bytes, so that nothing has to be generated.
"""

import sys
import threading
import time
from concurrent import futures

import grpc

cancelled = threading.Event()


def unary(request, context):
    context.send_initial_metadata((("x-first", "1"),))
    context.set_trailing_metadata((("x-sum", str(len(request))), ("x-sum-bin", b"\x00\xff")))
    return request[::-1]


def server_streams(request, context):
    for number in range(int(request)):
        yield b"%d" % number


def client_streams(requests, context):
    return b"%d" % sum(len(request) for request in requests)


def both_stream(requests, context):
    for request in requests:
        yield b"got " + request


def fails(request, context):
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "the tag is b\u00f6se: 100%")


def fails_late(request, context):
    yield b"one"
    context.abort(grpc.StatusCode.DATA_LOSS, "half")


def never(request, context):
    context.add_callback(cancelled.set)
    cancelled.wait(20)
    return b""


def was_cancelled(request, context):
    return b"yes" if cancelled.wait(10) else b"no"


HANDLERS = {
    "Unary": grpc.unary_unary_rpc_method_handler(unary),
    "ServerStreams": grpc.unary_stream_rpc_method_handler(server_streams),
    "ClientStreams": grpc.stream_unary_rpc_method_handler(client_streams),
    "BothStream": grpc.stream_stream_rpc_method_handler(both_stream),
    "Fails": grpc.unary_unary_rpc_method_handler(fails),
    "FailsLate": grpc.unary_stream_rpc_method_handler(fails_late),
    "Never": grpc.unary_unary_rpc_method_handler(never),
    "WasCancelled": grpc.unary_unary_rpc_method_handler(was_cancelled),
}


def serve(files):
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", HANDLERS),))
    if files:
        certificate, key = (open(file, "rb").read() for file in files)
        credentials = grpc.ssl_server_credentials([(key, certificate)])
        port = server.add_secure_port("127.0.0.1:0", credentials)
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(None)


def ask(address, files):
    if files:
        credentials = grpc.ssl_channel_credentials(open(files[0], "rb").read())
        channel = grpc.secure_channel(address, credentials, (("grpc.ssl_target_name_override", "shop.test"),))
    else:
        channel = grpc.insecure_channel(address)

    answer, call = channel.unary_unary("/test.Echo/Unary").with_call(b"abc", timeout=20, metadata=(("x-a-bin", b"\x01"),))
    assert answer == b"cba", answer
    assert dict(call.initial_metadata())["x-first"] == "1"
    trailing = dict(call.trailing_metadata())
    assert (trailing["x-sum"], trailing["x-sum-bin"]) == ("3", b"\x00\xff"), trailing

    large = b"x" * 3_000_000
    assert channel.unary_unary("/test.Echo/Unary")(large, timeout=60) == large

    numbers = [int(number) for number in channel.unary_stream("/test.Echo/ServerStreams")(b"2000", timeout=60)]
    assert numbers == list(range(2000))

    counted = channel.stream_unary("/test.Echo/ClientStreams")(iter([b"x" * 1000] * 500), timeout=60)
    assert counted == b"500000", counted

    # Each message is answered before the next one is sent: nothing may be kept back, either way.
    turn = threading.Semaphore(1)

    def one_by_one():
        for number in range(50):
            turn.acquire(timeout=20)
            yield b"%d" % number

    for number, got in enumerate(channel.stream_stream("/test.Echo/BothStream")(one_by_one(), timeout=60)):
        assert got == b"got %d" % number, got
        turn.release()

    def failure(call):
        try:
            call()
        except grpc.RpcError as error:
            return error.code(), error.details()
        return None

    code, details = failure(lambda: channel.unary_unary("/test.Echo/Fails")(b"", timeout=20))
    assert (code, details) == (grpc.StatusCode.FAILED_PRECONDITION, "the tag is b\u00f6se: 100%"), (code, details)
    code, details = failure(lambda: list(channel.unary_stream("/test.Echo/FailsLate")(b"", timeout=20)))
    assert (code, details) == (grpc.StatusCode.DATA_LOSS, "half"), (code, details)
    code, _ = failure(lambda: channel.unary_unary("/test.Echo/Missing")(b"", timeout=20))
    assert code == grpc.StatusCode.UNIMPLEMENTED, code

    began = time.monotonic()
    code, _ = failure(lambda: channel.unary_unary("/test.Echo/Never")(b"", timeout=0.3))
    assert code == grpc.StatusCode.DEADLINE_EXCEEDED and time.monotonic() - began < 15, code
    assert channel.unary_unary("/test.Echo/WasCancelled")(b"", timeout=20) == b"yes"


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2:])
    else:
        ask(sys.argv[2], sys.argv[3:])
