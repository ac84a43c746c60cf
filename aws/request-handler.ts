/**
 * A stuck connection must not use up a function's 45 seconds: with the SDK's three attempts and their pauses these
 * limits end it in 30. Without `throwOnRequestTimeout` the SDK only warns.
 */
export const requestHandler = { connectionTimeout: 3000, requestTimeout: 8000, throwOnRequestTimeout: true };
