/** One class per Lambda function: chooses and hands over. */
@NullMarked
package io.vaultdr.handler;

import org.jspecify.annotations.NullMarked;
