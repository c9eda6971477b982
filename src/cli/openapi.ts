/**
 * Writes the OpenAPI document of the routes, or checks that the committed one is what the routes
 * say.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Deps } from '../actions/deps.ts'
import { buildApp } from '../http/app.ts'
import type { Command, CommandContext } from './command.ts'
import { untrueExitCode } from './exit-codes.ts'

const committed = new URL('../../openapi/openapi.json', import.meta.url)

export const openapiCommand: Command = {
  usage: '[--check]',
  options: {
    check: { meaning: 'write nothing; exit with 3 if the committed document is not fresh' },
  },
  examples: ['gyeol openapi', 'gyeol openapi --check'],
  run: run,
}

async function run({ given, print }: CommandContext): Promise<number> {
  const text = await openapiText()
  if (given.has('check')) {
    const isFresh = readFileSync(committed, 'utf8') === text
    print(isFresh ? 'the document is fresh' : 'the document is not fresh: run `gyeol openapi`')
    return isFresh ? 0 : untrueExitCode
  }
  mkdirSync(new URL('.', committed), { recursive: true })
  writeFileSync(committed, text)
  print('openapi/openapi.json')
  return 0
}

/** The document, with sorted keys: the same routes give the same bytes. */
export async function openapiText(): Promise<string> {
  const app = await buildApp(noDeps, { logLevel: 'silent' })
  try {
    await app.ready()
    return `${JSON.stringify(sorted(app.swagger()), null, 2)}\n`
  } finally {
    await app.close()
  }
}

/** The routes are only described here: whatever would serve one is a defect. */
const noDeps = new Proxy({} as Deps, {
  get: (_, name) => {
    throw new Error(`a route was served while it was described: ${String(name)}`)
  },
})

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]))
}
