/** What a command is, and how its arguments are read. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { Refusal } from '../core/errors.ts'
import type { Config } from './config.ts'

/** One option of a command, `--name <value>` or `--name`. */
export type Option = { meaning: string; value?: string }

/** The option of every command whose result programs may want. */
export const jsonOption = {
  json: { meaning: 'the result as one line of JSON; what is for people goes to standard error' },
} as const satisfies Record<string, Option>

/** What the shell gives and takes, as far as a command may know it. */
export type Terminal = {
  /** A line of output. */
  print: (line: string) => void
  /** A line for people, on standard error. */
  tell: (line: string) => void
  /** Characters as they are, on standard error. */
  draw: (text: string) => void
  /** How wide the terminal of standard error is now; undefined where it is none. */
  columns: () => number | undefined
  /** Aborted when the process shall end: by signal, or because whoever started it is gone. */
  stop: AbortSignal
  /** Tells whoever started this process. Nothing happens when nobody listens. */
  announce: (message: Record<string, unknown>) => void
  /** Runs, synchronously, however the process ends, short of kill -9. */
  atExit: (act: () => void) => void
}

/** The arguments of one call. */
export type Arguments = {
  text: (name: string) => string | undefined
  /** @throws {Refusal} `option-unknown` if it was not given. */
  need: (name: string) => string
  has: (name: string) => boolean
  /** A whole number. @throws {Refusal} `option-unknown` if it is none or outside the bounds. */
  whole: (name: string, least: number, most: number) => number | undefined
  positionals: readonly string[]
}

export type CommandContext = Terminal & {
  /** With `--json` a line for people, on standard error: the other output is one line of JSON. */
  print: Terminal['print']
  /** The result for programs, one line; nothing without `--json`. */
  printJson: (result: object) => void
  config: Config
  given: Arguments
}

export type Command = {
  /** What follows the command's name in its usage, positionals first. */
  usage: string
  options: Readonly<Record<string, Option>>
  /** How many positionals it takes. */
  positionals?: { least: number; most: number }
  /** Whole command lines. */
  examples: readonly string[]
  /** @returns the exit code, 0 when absent. */
  run: (context: CommandContext) => Promise<number | undefined>
}

/**
 * Reads the arguments of a command.
 *
 * @throws {Refusal} `option-unknown` for an option that it does not have, a value that is missing
 *   or too many words. Names the command whose help tells, and no value.
 */
export function argumentsOf(name: string, command: Command, words: readonly string[]): Arguments {
  const { values, positionals } = parsed(name, command, words)
  const { least, most } = command.positionals ?? { least: 0, most: 0 }
  if (positionals.length < least || positionals.length > most) {
    throw wrongUse(name, 'This command takes another number of words. Its help shows them.')
  }
  const text = (option: string): string | undefined => {
    const value = values[option]
    return typeof value === 'string' ? value : undefined
  }
  return {
    text,
    need: (option) => {
      const value = text(option)
      if (value !== undefined) return value
      throw wrongUse(name, 'An option is missing that this command needs.', { option })
    },
    has: (option) => values[option] !== undefined,
    whole: (option, wholeLeast, wholeMost) => {
      const value = text(option)
      if (value === undefined) return undefined
      const number = /^\d{1,15}$/.test(value) ? Number(value) : -1
      if (number >= wholeLeast && number <= wholeMost) return number
      const sentence = 'This option takes a whole number within bounds.'
      throw wrongUse(name, sentence, { option, least: wholeLeast, most: wholeMost })
    },
    positionals,
  }
}

/** The help of a command. */
export function helpOf(name: string, command: Command): string {
  const all: Readonly<Record<string, Option>> = {
    ...command.options,
    help: { meaning: 'show this' },
  }
  const options = Object.entries(all)
  const left = options.map(([option, { value }]) => `--${option}${value ? ` <${value}>` : ''}`)
  const width = Math.max(...left.map(({ length }) => length))
  return [
    `usage: gyeol ${name} ${command.usage}`.trimEnd(),
    '',
    ...options.map(
      ([, { meaning }], index) => `  ${(left[index] ?? '').padEnd(width)}  ${meaning}`,
    ),
    '',
    'examples:',
    ...command.examples.map((example) => `  ${example}`),
  ].join('\n')
}

function wrongUse(
  command: string,
  sentence: string,
  details: Record<string, string | number> = {},
): Refusal {
  return new Refusal('option-unknown', sentence, { ...details, help: `gyeol ${command} --help` })
}

function parsed(
  name: string,
  command: Command,
  words: readonly string[],
): { values: Record<string, unknown>; positionals: string[] } {
  const options: NonNullable<ParseArgsConfig['options']> = {}
  for (const [option, { value }] of Object.entries(command.options)) {
    options[option] = { type: value === undefined ? 'boolean' : 'string' }
  }
  try {
    return parseArgs({ args: [...words], options, strict: true, allowPositionals: true })
  } catch (error) {
    const isUse =
      error instanceof TypeError && 'code' in error && /^ERR_PARSE_ARGS/.test(String(error.code))
    if (!isUse) throw error
    throw wrongUse(name, 'An option is not known to this command, or its value is missing.')
  }
}
