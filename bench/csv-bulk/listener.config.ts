import { csvBulk, defineListener } from '../../app/listener.ts'

export default defineListener({
  processors: [csvBulk({ folder: 'bulk', operations: ['add_tags', 'set_context', 'set_metadata'] })]
})
