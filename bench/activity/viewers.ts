/** Child process: opens streams of the activity role and counts their messages, as its parent instructs. */

import { get, type IncomingMessage } from 'node:http'

export type Instruction =
  | { kind: 'open'; url: string; authorization: string; count: number }
  | { kind: 'close' }

let open: IncomingMessage[] = []
let messages = 0

process.once('disconnect', () => process.exit())
process.on('message', (instruction: Instruction) => {
  switch (instruction.kind) {
    case 'open': {
      const { url, authorization, count } = instruction
      for (let viewer = 0; viewer < count; viewer++) {
        get(url, { headers: { authorization } }, (response) => {
          if (response.statusCode !== 200) throw new Error(`the stream answered ${response.statusCode}`)
          open.push(response)
          if (open.length === count) process.send?.({ kind: 'open' })
          response.setEncoding('utf8').on('data', (text: string) => {
            messages += text.split('\n\n').length - 1
          })
        })
      }
      return
    }
    case 'close':
      for (const response of open) response.destroy()
      open = []
      process.send?.({ kind: 'closed', messages })
      messages = 0
  }
})
