package io.vaultdr.cluster;

import io.vaultdr.model.Secret;
import io.vaultdr.vault.Login.Intent;

import java.util.Map;

/**
 * The logins' secrets in one region. All methods throw {@link io.vaultdr.model.Failure} where they
 * can't be reached or refuse.
 */
public interface LoginSecrets {
    /** The region. */
    String region();

    /** The current version of each login's secret; none of one that has no secret. */
    Map<Intent, String> versions();

    /** The current value of a login's secret. */
    Secret value(Intent intent);

    /**
     * Makes a value the current one of a secret that is there. Done again with the same version
     * nothing changes; terminal where that version was current before and another one is now.
     *
     * @param version the accessor of the secret id in {@code value}
     */
    void put(Intent intent, String version, Secret value);
}
