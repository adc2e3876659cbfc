package io.vaultdr.cli;

import java.io.PrintWriter;
import java.io.StringWriter;

/** What a call printed and how it ended. */
record Run(int exit, String out, String err) {
    static Run of(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int exit = Main.commandLine(new PrintWriter(out), new PrintWriter(err)).execute(arguments);
        return new Run(exit, out.toString(), err.toString());
    }
}
