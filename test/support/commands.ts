import type { Test } from 'tap'
import { COMMANDS } from '../../app/commands.ts'
import { runRole } from './role.ts'
import type { SystemUnderTest } from './system.ts'

/** Runs `node app/main.ts` with these arguments, on what the roles of a system run on. */
export function buildCommands(
  t: Test,
  { sqs, dynamoDb, cloudinary }: Pick<SystemUnderTest, 'sqs' | 'dynamoDb' | 'cloudinary'>,
  environment: Record<string, string> = {}
) {
  return async (args: string[], changes: Record<string, string> = {}) => {
    const command = runRole(t, args, {
      ...sqs.environment,
      ...dynamoDb.environment,
      QUEUE_URL: sqs.queueUrl,
      DEAD_LETTER_QUEUE_URL: sqs.deadLetterQueueUrl,
      JOURNAL_TABLE: dynamoDb.tableName,
      CLOUDINARY_URL: cloudinary.cloud().cloudinaryUrl(cloudinary.url),
      ...environment,
      ...changes
    })
    const exitCode = await command.ended
    return { exitCode, output: command.lines.map(({ msg }) => String(msg)) }
  }
}

/** Runs a command in this process, on its environment: as `buildListener` sets it. */
export async function runHere(
  name: string,
  ...args: string[]
): Promise<{ exitCode: number; output: string[] }> {
  const output: string[] = []
  const print = (line: string) => void output.push(line)
  const closed = new AbortController().signal
  const exitCode = await COMMANDS[name]!.run(args, print, { printError: print, closed })
  return { exitCode, output }
}
