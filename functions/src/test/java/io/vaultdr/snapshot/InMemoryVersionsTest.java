package io.vaultdr.snapshot;

import io.vaultdr.snapshot.Retention.Hold;

class InMemoryVersionsTest extends ObjectVersionsContract {
    private InMemoryVersions bucket = new InMemoryVersions("eu-west-1");

    @Override
    ObjectVersions bucket(boolean lockable) {
        bucket = new InMemoryVersions("eu-west-1");
        return bucket;
    }

    @Override
    void put(String key, Object value) {
        bucket.put(key, value, NOW);
    }

    @Override
    void hide(String key) {
        bucket.hide(key, NOW);
    }

    @Override
    void hold(String key, Hold by) {
        bucket.hold(key, by);
    }
}
