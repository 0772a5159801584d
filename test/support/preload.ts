import { enableCompileCache } from 'node:module'
import './async-hooks.ts'
import { COMPILE_CACHE, IS_COVERED } from './coverage.ts'

// Runs before each test file (.taprc).
if (!IS_COVERED) {
  enableCompileCache(COMPILE_CACHE)
  process.env.NODE_COMPILE_CACHE = COMPILE_CACHE
}
