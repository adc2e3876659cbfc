package io.vaultdr.runtime;

import io.vaultdr.model.Failure;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;

/** Asks several at once, so that two that are away cost no more than one. */
public final class Parallel {
    private static final Logger LOG = LoggerFactory.getLogger(Parallel.class);

    private Parallel() {}

    /** Applies {@code ask} to each on a thread of its own; the answers in the same order. */
    public static <T, R> List<R> each(List<? extends T> all, Function<T, R> ask) {
        return each(all, Math.max(1, all.size()), ask);
    }

    /** The same on at the most {@code width} threads, for many small questions. */
    public static <T, R> List<R> each(List<? extends T> all, int width, Function<T, R> ask) {
        List<Future<R>> asked = new ArrayList<>();
        List<R> answers = new ArrayList<>();
        try (ExecutorService threads =
                Executors.newFixedThreadPool(width, Thread.ofVirtual().factory())) {
            for (T one : all) {
                asked.add(threads.submit(() -> ask.apply(one)));
            }
            for (Future<R> answer : asked) {
                answers.add(answer.get());
            }
            return answers;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            if (e.getCause() instanceof Error cause) {
                throw cause;
            }
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Failure.Retryable("wait", "interrupted", "It is taken up again.", e);
        }
    }

    /**
     * Begins to ask on a thread of its own.
     *
     * @return waits for the answer, and throws what asking threw
     */
    public static <T> Supplier<T> begin(Supplier<T> ask) {
        CompletableFuture<T> answer =
                CompletableFuture.supplyAsync(ask, task -> Thread.ofVirtual().start(task));
        return () -> {
            try {
                return answer.join();
            } catch (CompletionException e) {
                throw e.getCause() instanceof RuntimeException cause ? cause : e;
            }
        };
    }

    /**
     * Asks on a thread of its own and waits no longer than {@code limit} from now. A thread that
     * hangs is left to its own time-outs: it holds nobody up.
     *
     * @param what is asked, for the log
     * @return completes with the answer, or empty where it fails or hangs; never with an exception
     *     but a mistake of ours
     */
    public static <T> CompletableFuture<Optional<T>> within(
            Duration limit, String what, Supplier<T> ask) {
        CompletableFuture<Optional<T>> answer = new CompletableFuture<>();
        Thread.ofVirtual()
                .name(what)
                .start(
                        () -> {
                            try {
                                answer.complete(Optional.of(ask.get()));
                            } catch (RuntimeException e) {
                                answer.completeExceptionally(e);
                            }
                        });
        return answer.orTimeout(limit.toMillis(), TimeUnit.MILLISECONDS)
                .exceptionally(
                        e -> {
                            Throwable cause =
                                    e instanceof CompletionException && e.getCause() != null
                                            ? e.getCause()
                                            : e;
                            switch (cause) {
                                case Failure failure ->
                                        LOG.warn("No answer to {}: {}", what, failure.getMessage());
                                case TimeoutException _ ->
                                        LOG.warn("No answer to {} within {}", what, limit);
                                default -> throw new CompletionException(cause);
                            }
                            return Optional.empty();
                        });
    }
}
