package io.vaultdr.rehearsal.world;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Loopback addresses for machines and load balancers, each its own, from one /16 of 127.0.0.0/8
 * that no other rehearsal on this machine uses. A socket holds the network as long as this JVM
 * lives, so that two never take the same.
 */
final class Network {
    /** Below it are the places of {@code Links}, and what people use by hand. */
    private static final int FIRST = 128;

    private static final int LAST = 254;
    private static final int TRIES = 500;

    private final int network;
    private final ServerSocket held;
    private final AtomicInteger next = new AtomicInteger(255);
    private final AtomicInteger nextBalancer = new AtomicInteger(1);

    private Network(int network, ServerSocket held) {
        this.network = network;
        this.held = held;
    }

    /** Takes a network that is free now. */
    static Network take() {
        IOException last = new IOException("none was tried");
        for (int i = 0; i < TRIES; i++) {
            int network = ThreadLocalRandom.current().nextInt(FIRST, LAST + 1);
            try {
                var socket = new ServerSocket();
                socket.setReuseAddress(false);
                socket.bind(new InetSocketAddress(address(network, 1), 1_024));
                return new Network(network, socket);
            } catch (IOException e) {
                last = e;
            }
        }
        throw new UncheckedIOException(
                "no network of 127.128.0.0 to 127.254.255.255 can be listened on (a rehearsal"
                        + " wants the whole of 127.0.0.0/8 on the loopback interface, as Linux has"
                        + " it)",
                last);
    }

    /** A machine's address, not given out before. */
    InetAddress next() {
        return address(network, next.incrementAndGet());
    }

    /** A load balancer's address, not given out before. */
    InetAddress nextBalancer() {
        return balancer(nextBalancer.getAndIncrement());
    }

    /** The address that the load balancer of this number gets, from 1 on. */
    InetAddress balancer(int number) {
        return address(network, number + 1);
    }

    private static InetAddress address(int network, int host) {
        return InetAddress.ofLiteral("127." + network + "." + host / 256 + "." + host % 256);
    }

    /** Lets others take it. */
    void release() {
        try {
            held.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
