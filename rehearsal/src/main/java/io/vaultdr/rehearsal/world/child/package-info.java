/** What runs inside a function's JVM beside the function: nothing but the SDK interceptor. */
@NullMarked
package io.vaultdr.rehearsal.world.child;

import org.jspecify.annotations.NullMarked;
