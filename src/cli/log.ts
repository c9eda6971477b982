/**
 * What a process says of itself: one line of JSON each, a constant sentence with ids and counts, as
 * the API's logger.
 */
import type { Config } from './config.ts'

export type Log = {
  info: (sentence: string, fields?: LogFields) => void
  error: (sentence: string, fields?: LogFields) => void
}

type LogFields = Readonly<Record<string, string | number>>

const levels = { silent: 100, error: 50, warn: 40, info: 30, debug: 20 } as const

/** A log of the process named. */
export function createLog(
  name: string,
  level: Config['logLevel'],
  print: (line: string) => void,
): Log {
  const write =
    (of: 'info' | 'error') =>
    (sentence: string, fields: LogFields = {}) => {
      if (levels[of] < levels[level]) return
      const line = { level: levels[of], time: Date.now(), process: name, ...fields, msg: sentence }
      print(JSON.stringify(line))
    }
  return { info: write('info'), error: write('error') }
}
