/** The commands of the keyrings. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { personSchema } from '../keys/key-names.ts'
import { type KeyringSide, keyringSides } from '../keys/key-purposes.ts'
import type { Keyring } from '../keys/keyring.ts'
import { makeExampleKeyrings } from '../keys/make-example.ts'
import { createKeyring, openKeyring } from '../keys/open-keyring.ts'
import { type Arguments, type Command, jsonOption } from './command.ts'
import { passphraseOf, passphraseOptions } from './passphrase.ts'

const side = { side: { value: 'api|key|data|sign', meaning: 'whose keyring' } }

export const keysInitCommand: Command = {
  usage: '--side <side> --created-by <name> --approved-by <name> [options]',
  options: {
    ...side,
    'created-by': { value: 'name', meaning: 'the custodian who makes it' },
    'approved-by': { value: 'name', meaning: 'another custodian, who watches' },
    ...passphraseOptions,
    ...jsonOption,
  },
  examples: [
    'gyeol keys init --side key --created-by kim --approved-by lee --passphrase-file /run/secrets/key',
  ],
  run: async (context) => {
    const { config, given, print, printJson } = context
    const wanted = sideOf(given)
    const createdBy = personOf(given, 'created-by')
    const approvedBy = personOf(given, 'approved-by')
    const passphrase = passphraseOf(context, wanted)
    mkdirSync(config.keys, { recursive: true, mode: 0o700 })
    const path = join(config.keys, `${wanted}.keyring`)
    const now = new Date()
    const keyring = await createKeyring({
      path,
      side: wanted,
      passphrase,
      createdBy,
      approvedBy,
      now,
    })
    print(`made ${path}`)
    printJson(summaryOf(keyring))
    return 0
  },
}

export const keysListCommand: Command = {
  usage: '--side <side> [options]',
  options: { ...side, ...passphraseOptions, ...jsonOption },
  examples: ['gyeol keys list --side data', 'gyeol keys list --side sign --json'],
  run: async (context) => {
    const { config, given, print, printJson } = context
    const wanted = sideOf(given)
    const keyring = await openKeyring({
      path: join(config.keys, `${wanted}.keyring`),
      passphrase: passphraseOf(context, wanted),
      demo: config.demo,
      side: wanted,
    })
    print(
      `${wanted} keyring, revision ${keyring.revision}, sha256 ${keyring.sha256.toString('hex')}`,
    )
    for (const key of keyring.list()) {
      const scope = [key.project, key.domain].filter((part) => part !== undefined).join(' ')
      print(`${key.id}  ${key.purpose} ${key.algorithm} epoch ${key.epoch} ${key.state} ${scope}`)
      print(`  made ${key.createdAt} by ${key.createdBy}, approved by ${key.approvedBy}`)
    }
    printJson(summaryOf(keyring))
    return 0
  },
}

export const keysExampleCommand: Command = {
  usage: '[--out <directory>]',
  options: { out: { value: 'directory', meaning: 'where; keys.example unless said' } },
  examples: ['gyeol keys example'],
  run: async ({ given, print }) => {
    const out = given.text('out') ?? 'keys.example'
    await makeExampleKeyrings(out, new Date())
    print(`made ${out}: worthless, and refused outside demo mode`)
    return 0
  },
}

function summaryOf(keyring: Keyring): object {
  const keys = keyring.list().map(({ publicKey, ...key }) => ({
    ...key,
    ...(publicKey === undefined ? {} : { publicKey: Buffer.from(publicKey).toString('base64') }),
  }))
  const { side: of, revision, sha256 } = keyring
  return { side: of, revision, sha256: sha256.toString('hex'), keys }
}

function sideOf(given: Arguments): KeyringSide {
  const name = given.need('side')
  const found = keyringSides.find((known) => known === name)
  if (found !== undefined) return found
  throw new Refusal('option-unknown', 'The side of a keyring is api, key, data or sign.')
}

function personOf(given: Arguments, option: string): string {
  const name = given.need(option)
  if (personSchema.safeParse(name).success) return name
  const sentence = 'A person is named with letters, digits, dot, hyphen and underscore.'
  throw new Refusal('option-unknown', sentence, { option })
}
