import { defaultCatalogue } from '../catalogue/load.ts'
import { catalogueSchema } from '../catalogue/schema.ts'
import { Refusal } from '../core/errors.ts'
import { examplePolicies } from '../core/example-policies.ts'
import type { Policy } from '../core/policy.ts'
import { draftPolicy } from '../core/policy-draft.ts'
import type { Command } from './command.ts'
import { readNamedJson } from './files.ts'

export const releaseDraftCommand: Command = {
  usage: '[--catalogue <file>] [--name <name>] [--csv] | --example <name>',
  options: {
    catalogue: {
      value: 'file',
      meaning: 'of the project, JSON; the default catalogue unless said',
    },
    name: { value: 'name', meaning: 'of the policy; draft unless said' },
    csv: { meaning: 'CSV beside Parquet' },
    example: {
      value: 'name',
      meaning: `a policy that measures and suppresses as well: ${[...examplePolicies().keys()].join(', ')}`,
    },
  },
  examples: [
    'gyeol release draft --catalogue catalogue.json --name survival > policy.json',
    'gyeol release draft --csv',
    'gyeol release draft --example breast-cancer-survival',
  ],
  run: async ({ given, print }) => {
    const example = given.text('example')
    if (example !== undefined) {
      print(JSON.stringify(exampleOf(example), null, 2))
      return 0
    }
    const file = given.text('catalogue')
    const catalogue = file === undefined ? defaultCatalogue() : readNamedJson(file, catalogueSchema)
    const formats: ('parquet' | 'csv')[] = given.has('csv') ? ['parquet', 'csv'] : ['parquet']
    const about = { name: given.text('name') ?? 'draft', version: '1', formats }
    print(JSON.stringify(draftPolicy(catalogue, about), null, 2))
    return 0
  },
}

function exampleOf(name: string): Policy {
  const policy = examplePolicies().get(name)
  if (policy) return policy
  throw new Refusal('option-unknown', 'There is no example policy of this name. See --help.')
}
