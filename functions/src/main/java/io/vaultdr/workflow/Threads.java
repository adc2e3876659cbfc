package io.vaultdr.workflow;

import io.vaultdr.model.Failure;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

/** Waits for what was started beside. */
final class Threads {
    private Threads() {}

    static <T> T join(Future<T> task) {
        try {
            return task.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Failure.Retryable("wait", "interrupted", "It is taken up again.", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException(e.getCause());
        }
    }
}
