// npm run test:browser
import { globSync } from 'node:fs'
import { importTests } from '../support/import-tests.ts'

await importTests(globSync(`${import.meta.dirname}/**/*.test.ts`).toSorted())
