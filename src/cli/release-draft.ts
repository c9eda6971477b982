import { defaultCatalogue } from '../catalogue/load.ts'
import { catalogueSchema } from '../catalogue/schema.ts'
import { draftPolicy } from '../core/policy-draft.ts'
import type { Command } from './command.ts'
import { readNamedJson } from './files.ts'

export const releaseDraftCommand: Command = {
  usage: '[--catalogue <file>] [--name <name>] [--csv]',
  options: {
    catalogue: {
      value: 'file',
      meaning: 'of the project, JSON; the default catalogue unless said',
    },
    name: { value: 'name', meaning: 'of the policy; draft unless said' },
    csv: { meaning: 'CSV beside Parquet' },
  },
  examples: [
    'gyeol release draft --catalogue catalogue.json --name survival > policy.json',
    'gyeol release draft --csv',
  ],
  run: async ({ given, print }) => {
    const file = given.text('catalogue')
    const catalogue = file === undefined ? defaultCatalogue() : readNamedJson(file, catalogueSchema)
    const formats: ('parquet' | 'csv')[] = given.has('csv') ? ['parquet', 'csv'] : ['parquet']
    const about = { name: given.text('name') ?? 'draft', version: '1', formats }
    print(JSON.stringify(draftPolicy(catalogue, about), null, 2))
    return 0
  },
}
