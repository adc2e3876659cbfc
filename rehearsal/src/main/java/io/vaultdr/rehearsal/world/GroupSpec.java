package io.vaultdr.rehearsal.world;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * An Auto Scaling group as its template describes it.
 *
 * @param zones the Availability Zones of its subnets
 * @param tags those that its instances get
 * @param tagsInMetadata whether instances read their tags from the metadata service
 * @param hooks its lifecycle hooks, one of each kind at most
 * @param targetGroups the ARNs of the target groups that it registers its instances with
 * @param minHealthy how many per cent of it stay in service while instances are replaced
 * @param maxHealthy how many per cent of it may be in service or on their way then
 * @param draining how long a target is drained before its instance may be ended
 * @param image what its launch template launches from
 */
record GroupSpec(
        String region,
        String name,
        int min,
        int max,
        int desired,
        List<String> zones,
        Map<String, String> tags,
        boolean tagsInMetadata,
        List<Hook> hooks,
        List<String> targetGroups,
        int minHealthy,
        int maxHealthy,
        Duration draining,
        String image) {
    /** Whether an instance that is to be replaced stays until the new one is in service. */
    boolean launchesFirst() {
        return minHealthy == 100 && maxHealthy > 100;
    }

    /**
     * A lifecycle hook.
     *
     * @param launching whether it holds launches; else it holds terminations
     * @param heartbeat how long it holds an instance without a sign
     * @param continues what then happens: true for CONTINUE, false for ABANDON
     */
    record Hook(String name, boolean launching, Duration heartbeat, boolean continues) {}
}
