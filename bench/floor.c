/* The kernel's own price of a delivery: N loopback TCP connections, 150 bytes on each per round, one write per message.
 *
 *   floor CONNECTIONS ROUNDS PAUSE_US
 *
 * The parent sends to every connection in turn, the child waits with epoll and receives. Prints, as JSON, the CPU time in
 * microseconds that each of them spent per delivery, user and system together (getrusage(2)).
 *
 *   floor receive PORT CONNECTIONS
 *
 * Connects to a WebSocket server, says one word on each connection, prints `ready`, and receives with epoll until it is
 * killed: the least that any client of that very sender can cost. It does not look at what it receives. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 150, EVENTS = 512 };

static void die(const char *what) { perror(what); exit(1); }

static double cpu_us(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static double receive(int *sockets, int count, long expected_bytes) {
    int loop = epoll_create1(0);
    if (loop < 0) die("epoll_create1");
    for (int i = 0; i < count; i++) {
        struct epoll_event e = {.events = EPOLLIN, .data.fd = sockets[i]};
        if (epoll_ctl(loop, EPOLL_CTL_ADD, sockets[i], &e)) die("epoll_ctl");
    }
    static char buffer[65536];
    struct epoll_event ready[EVENTS];
    double before = cpu_us();
    for (long got = 0; got < expected_bytes;) {
        int n = epoll_wait(loop, ready, EVENTS, 10000);
        if (n <= 0) die("epoll_wait");
        for (int i = 0; i < n; i++) {
            ssize_t size = recv(ready[i].data.fd, buffer, sizeof buffer, 0);
            if (size <= 0) die("recv");
            got += size;
        }
    }
    return cpu_us() - before;
}

static void receive_websockets(int port, int count) {
    /* The key is the example of RFC 6455, the frame a masked text of one character: nobody checks either here. */
    static const char hello[] = "GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    static const char word[] = {'\x81', '\x81', 0, 0, 0, 0, '?'};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int loop = epoll_create1(0);
    static char buffer[65536];
    for (int i = 0; i < count; i++) {
        int s = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(s, (struct sockaddr *)&address, sizeof address)) die("connect");
        if (send(s, hello, sizeof hello - 1, 0) < 0 || recv(s, buffer, sizeof buffer, 0) <= 0) die("handshake");
        if (send(s, word, sizeof word, 0) < 0) die("send");
        struct epoll_event e = {.events = EPOLLIN, .data.fd = s};
        if (epoll_ctl(loop, EPOLL_CTL_ADD, s, &e)) die("epoll_ctl");
    }
    puts("ready");
    fflush(stdout);
    struct epoll_event ready[EVENTS];
    for (;;) {
        int n = epoll_wait(loop, ready, EVENTS, -1);
        for (int i = 0; i < n; i++)
            if (recv(ready[i].data.fd, buffer, sizeof buffer, 0) <= 0) die("recv");
    }
}

int main(int argc, char **argv) {
    if (argc == 4 && !strcmp(argv[1], "receive")) receive_websockets(atoi(argv[2]), atoi(argv[3]));
    if (argc != 4) { fprintf(stderr, "usage: floor CONNECTIONS ROUNDS PAUSE_US\n"); return 2; }
    int count = atoi(argv[1]), rounds = atoi(argv[2]), pause_us = atoi(argv[3]);
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1, result[2];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 4096)) die("listen");
    getsockname(listener, (struct sockaddr *)&address, &length);
    int *senders = calloc(count, sizeof(int)), *receivers = calloc(count, sizeof(int));
    for (int i = 0; i < count; i++) {
        receivers[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(receivers[i], (struct sockaddr *)&address, length)) die("connect");
        if ((senders[i] = accept(listener, 0, 0)) < 0) die("accept");
        setsockopt(senders[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    if (pipe(result)) die("pipe");
    double deliveries = (double)count * rounds;
    pid_t child = fork();
    if (child == 0) {
        double spent = receive(receivers, count, (long)count * rounds * SIZE);
        if (write(result[1], &spent, sizeof spent) != sizeof spent) die("write");
        _exit(0);
    }
    char message[SIZE];
    memset(message, 'x', SIZE);
    double before = cpu_us();
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < count; i++)
            if (send(senders[i], message, SIZE, 0) != SIZE) die("send");
        usleep(pause_us);
    }
    double sent = cpu_us() - before, received;
    if (read(result[0], &received, sizeof received) != sizeof received) die("read");
    waitpid(child, 0, 0);
    printf("{\"send_us\": %.3f, \"receive_us\": %.3f}\n", sent / deliveries, received / deliveries);
    return 0;
}
