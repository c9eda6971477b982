/** From a command line to an exit code. */
import { Refusal } from '../core/errors.ts'
import { EngineError } from '../engine/engine-error.ts'
import { argumentsOf, type CommandContext, helpOf, type Terminal } from './command.ts'
import { type CommandName, commands, helpText } from './commands.ts'
import { configOf } from './config.ts'
import { defectExitCode, exitCodes } from './exit-codes.ts'
import { outageSentence } from './outages.ts'

/** What was typed and what was set. */
export type CommandLine = {
  words: readonly string[]
  environment: Readonly<Record<string, string | undefined>>
  version: string
}

/**
 * Runs one command and gives the exit code. Whatever is thrown becomes a sentence and a code here,
 * and nowhere else.
 */
export async function runCommandLine(line: CommandLine, terminal: Terminal): Promise<number> {
  try {
    return await run(line, terminal)
  } catch (error) {
    if (!terminal.stop.aborted || !isAbort(error)) return explain(error, terminal)
    terminal.tell('Stopped before it was done.')
    return defectExitCode
  }
}

/**
 * Tells people what was thrown: a refusal with its sentence, an outage with ours, anything else
 * without its message, which may hold a value.
 */
export function explain(error: unknown, terminal: Pick<Terminal, 'tell' | 'announce'>): number {
  if (error instanceof Refusal) {
    const { code, message: sentence, details } = error
    terminal.tell(sentence)
    for (const [key, value] of Object.entries(details)) terminal.tell(`${key}: ${value}`)
    terminal.announce({ refusal: { code, sentence, details } })
    // The service may be newer than this command and refuse with a code that is not known here.
    return Object.hasOwn(exitCodes, code) ? exitCodes[code] : defectExitCode
  }
  const outage = outageSentence(error)
  if (outage !== undefined) {
    terminal.tell(outage)
    return defectExitCode
  }
  terminal.tell(`Something went wrong that should not: ${kindOf(error)}`)
  for (const frame of framesOf(error)) terminal.tell(frame)
  return defectExitCode
}

async function run(line: CommandLine, terminal: Terminal): Promise<number> {
  const [first = 'help', ...others] = line.words
  if (isHelp(first) && others.length === 0) {
    terminal.print(helpText(line.version))
    return 0
  }
  if (first === '--version' || first === '-V') {
    terminal.print(line.version)
    return 0
  }
  const { name, words } = named(isHelp(first) ? others : line.words)
  const command = await commands[name].load()
  if (isHelp(first) || words.includes('--help') || words.includes('-h')) {
    terminal.print(helpOf(name, command))
    return 0
  }
  const given = argumentsOf(name, command, words)
  const config = configOf(line.environment)
  const isForPrograms = given.has('json')
  const context: CommandContext = {
    ...terminal,
    print: isForPrograms ? terminal.tell : terminal.print,
    printJson: (result) => {
      if (isForPrograms) terminal.print(JSON.stringify(result))
    },
    config,
    given,
  }
  return (await command.run(context)) ?? 0
}

function isHelp(word: string): boolean {
  return word === 'help' || word === '--help' || word === '-h'
}

/** The command of one or two words, and the words after it. */
function named(words: readonly string[]): { name: CommandName; words: readonly string[] } {
  for (const count of [2, 1]) {
    const name = words.slice(0, count).join(' ')
    if (Object.hasOwn(commands, name)) {
      return { name: name as CommandName, words: words.slice(count) }
    }
  }
  throw new Refusal('option-unknown', 'There is no such command. `gyeol help` lists all.')
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  if (error instanceof EngineError) return error.message // Made to be told: it holds no value.
  const code = 'code' in error ? ` ${String(error.code).slice(0, 40)}` : ''
  const cause = error.cause instanceof Error ? `, because of ${kindOf(error.cause)}` : ''
  return `${error.name}${code}${cause}`
}

function framesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return []
  return (error.stack ?? '').split('\n').filter((text) => /^\s+at /.test(text))
}
