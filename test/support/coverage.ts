/** Cache of compiled code, which tests and their child processes share. */
export const COMPILE_CACHE = '.tap/compile-cache'

/**
 * Whether tap measures the coverage of this process: not in `npm test`, nor in system tests. Code from the
 * compile cache has no coverage.
 * Source: https://nodejs.org/docs/latest-v24.x/api/module.html#module-compile-cache
 */
export const IS_COVERED = process.env._TAPJS_PROCESSINFO_COVERAGE_ === '1'
