package io.vaultdr.snapshot;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;

/** Asks several buckets at once, so that two that are away cost no more than one. */
public final class Parallel {
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
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while buckets were asked", e);
        }
    }
}
