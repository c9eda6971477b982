/**
 * What an agency makes for itself before its first delivery: its certificate request, and the
 * agencies' key.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { makeAgenciesKey, readAgenciesKey, writeCanaryTable } from '../agency/agencies-key.ts'
import { makeCertificateRequest } from '../agency/certificate-request.ts'
import { koreanRecipe, recipeSchema } from '../core/recipe.ts'
import { named } from './ca.ts'
import type { Command } from './command.ts'
import { readNamedJson, requireNoFile, writeNewFile } from './files.ts'

export const agencyEnrollCommand: Command = {
  usage: '--agency <name> [--out <directory>]',
  options: {
    agency: { value: 'name', meaning: 'the agency, lower-case, as the service will register it' },
    out: { value: 'directory', meaning: 'where key and request go; here unless said' },
  },
  examples: ['gyeol agency enroll --agency nhis --out ./enrolment'],
  run: async ({ given, print }) => {
    const agency = given.need('agency')
    const out = given.text('out') ?? '.'
    const paths = { key: join(out, `${agency}.key`), request: join(out, `${agency}.csr`) }
    requireNoFile(paths.key)
    requireNoFile(paths.request)
    const made = await named(() => makeCertificateRequest({ agency }))
    mkdirSync(out, { recursive: true, mode: 0o700 })
    writeNewFile(paths.key, made.privateKeyPem, 0o600)
    writeNewFile(paths.request, made.requestPem)
    print(`made ${paths.key}, which stays here, and ${paths.request}, which goes to the operator`)
    return 0
  },
}

export const agencyCeremonyCommand: Command = {
  usage: '--key <file> --canaries <file> [options]',
  options: {
    key: { value: 'file', meaning: "where the agencies' key goes, mode 0600" },
    canaries: {
      value: 'file',
      meaning: 'where the canary table goes: all that the service is given',
    },
    recipe: { value: 'file', meaning: 'the recipe, JSON; the Korean one unless said' },
  },
  examples: ['gyeol agency ceremony --key agencies.key --canaries canaries.json'],
  run: async ({ given, print }) => {
    const paths = { key: given.need('key'), canaries: given.need('canaries') }
    const recipePath = given.text('recipe')
    const recipe = recipePath === undefined ? koreanRecipe : readNamedJson(recipePath, recipeSchema)
    requireNoFile(paths.canaries)
    await makeAgenciesKey(paths.key)
    await writeCanaryTable(paths.canaries, recipe, await readAgenciesKey(paths.key))
    print(`made ${paths.key} for every agency, and ${paths.canaries} for the service`)
    return 0
  },
}
