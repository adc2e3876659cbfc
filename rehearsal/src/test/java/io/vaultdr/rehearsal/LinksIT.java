package io.vaultdr.rehearsal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

class LinksIT {
    @TempDir Path directory;
    private ServerSocket server;
    private Links links;

    @BeforeEach
    void start() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        // An echo of single bytes.
        Thread.ofVirtual()
                .start(
                        () -> {
                            while (!server.isClosed()) {
                                try {
                                    Socket one = server.accept();
                                    Thread.ofVirtual()
                                            .start(
                                                    () -> {
                                                        try (one) {
                                                            one.getInputStream()
                                                                    .transferTo(
                                                                            one.getOutputStream());
                                                        } catch (IOException e) {
                                                            return;
                                                        }
                                                    });
                                } catch (IOException e) {
                                    return;
                                }
                            }
                        });
        links = new Links(List.of("here", "there"), directory);
        links.connect("one.test", server.getLocalPort());
    }

    @AfterEach
    void stop() throws IOException {
        links.close();
        server.close();
    }

    @Test
    void cutsOnePlaceAndNotTheOther() throws IOException {
        try (Socket here = open("here");
                Socket there = open("there")) {
            assertEquals(7, echo(here, 7));
            links.link("here", "one.test").cut();

            assertThrows(SocketTimeoutException.class, () -> echo(here, 8));
            assertEquals(9, echo(there, 9));

            links.link("here", "one.test").mend();
            assertEquals(8, here.getInputStream().read(), "what was under way goes on");
        }
    }

    @Test
    void aCutLinkDoesNotRefuse() throws IOException {
        links.link("here", "one.test").cut();
        try (Socket here = open("here")) {
            assertThrows(SocketTimeoutException.class, () -> echo(here, 1));
        }
    }

    @Test
    void aServerThatHasGoneIsSeenAtOnce() throws IOException {
        server.close();
        try (Socket here = open("here")) {
            assertThrows(
                    IOException.class,
                    () -> {
                        if (echo(here, 1) < 0) {
                            throw new IOException("closed");
                        }
                    });
        }
    }

    @Test
    void slowsDown() throws IOException {
        links.link("here", "one.test").slow(100);
        try (Socket here = open("here")) {
            here.setSoTimeout(5_000);
            long start = System.nanoTime();
            here.getOutputStream().write(new byte[30]);
            here.getInputStream().readNBytes(30);
            assertTrue(System.nanoTime() - start > 250_000_000L);
        }
    }

    @Test
    void writesAHostsFilePerPlace() throws IOException {
        assertTrue(
                Files.readString(links.hostsFile("there"))
                        .contains(links.address("there").getHostAddress() + " one.test\n"));
    }

    private Socket open(String place) throws IOException {
        var socket = new Socket();
        socket.connect(new InetSocketAddress(links.address(place), server.getLocalPort()), 1_000);
        socket.setSoTimeout(300);
        return socket;
    }

    private static int echo(Socket socket, int value) throws IOException {
        socket.getOutputStream().write(value);
        return socket.getInputStream().read();
    }
}
