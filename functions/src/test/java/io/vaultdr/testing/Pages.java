package io.vaultdr.testing;

import io.vaultdr.failover.Pager;

import java.util.ArrayList;
import java.util.List;

/** Writes down what people would be told. */
public final class Pages implements Pager {
    private final List<Page> pages = new ArrayList<>();

    @Override
    public void page(Page page) {
        pages.add(page);
    }

    @Override
    public int receivers() {
        return 1;
    }

    /** The subjects, in their order. */
    public List<String> subjects() {
        return pages.stream().map(Page::subject).toList();
    }

    /** All of them. */
    public List<Page> all() {
        return List.copyOf(pages);
    }
}
