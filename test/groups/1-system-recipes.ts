import { runGroup } from '../support/import-tests.ts'

await runGroup(import.meta.filename)
