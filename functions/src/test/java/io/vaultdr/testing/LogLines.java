package io.vaultdr.testing;

import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.Logger;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Property;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;

/** All that is logged while it is open, as the function's log would hold it. */
public final class LogLines extends AbstractAppender implements AutoCloseable {
    private final List<String> lines = new CopyOnWriteArrayList<>();

    private LogLines() {
        super("lines", null, null, false, Property.EMPTY_ARRAY);
    }

    /** Begins to listen. */
    public static LogLines capture() {
        LogLines lines = new LogLines();
        lines.start();
        ((Logger) LogManager.getRootLogger()).addAppender(lines);
        return lines;
    }

    @Override
    public void append(LogEvent event) {
        Throwable thrown = event.getThrown();
        lines.add(event.getMessage().getFormattedMessage() + (thrown == null ? "" : " " + thrown));
    }

    /** What was logged until now. */
    public String text() {
        return lines.stream().collect(Collectors.joining("\n"));
    }

    @Override
    public void close() {
        ((Logger) LogManager.getRootLogger()).removeAppender(this);
        stop();
    }
}
