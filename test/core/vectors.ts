import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = new URL('../../../shared/vectors/', import.meta.url)

/** Options of a test over foreign vectors: skipped, loudly, where they are not at hand. */
export const withVectors = existsSync(folder)
  ? {}
  : { skip: 'the foreign vectors are not beside this checkout (../shared/vectors)' }

/** The groups of one Wycheproof file. The caller says what a group looks like. */
export function wycheproof<Group>(name: string): { count: number; groups: Group[] } {
  const file = JSON.parse(readFileSync(new URL(`wycheproof/${name}.json`, folder), 'utf8'))
  return { count: file.numberOfTests, groups: file.testGroups }
}

/** Every case of one folder of the RFC 6962 vectors. The caller says what a case looks like. */
export function rfc6962<Case>(kind: 'inclusion' | 'consistency'): Case[] {
  const root = new URL(`rfc6962/${kind}/`, folder)
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.json'))
    .sort()
    .map((path) => JSON.parse(readFileSync(`${fileURLToPath(root)}${path}`, 'utf8')))
}
