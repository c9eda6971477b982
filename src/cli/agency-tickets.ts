/** What an agency is asked about its own records, what it answers, and what it doubts unasked. */
import { mkdirSync } from 'node:fs'
import { askTickets, fetchQuestions, sendAnswers, sendDoubts } from '../agency/tickets.ts'
import { reach, reachWords, withClient } from './agency-reach.ts'
import { type Command, jsonOption } from './command.ts'

export const agencyTicketsCommand: Command = {
  usage: '--project <project> [options]',
  options: {
    project: { value: 'project', meaning: 'its id or name' },
    out: { value: 'directory', meaning: 'where the questions go, a CSV file a ticket' },
    ...reach,
    ...jsonOption,
  },
  examples: [`gyeol agency tickets --project kcure --out tickets ${reachWords}`],
  run: async (context) => {
    const { given, print, printJson } = context
    const out = given.text('out')
    if (out !== undefined) mkdirSync(out, { recursive: true, mode: 0o700 })
    const { tickets, files } = await withClient(context, async (client) => {
      const tickets = await askTickets(client, given.need('project'))
      const files = out === undefined ? [] : await fetchQuestions(client, tickets, out)
      return { tickets, files }
    })
    for (const { ticket, state, asked, answered } of tickets)
      print(`${ticket} ${state}: ${answered} of ${asked} answered`)
    for (const file of files) print(`wrote ${file}`)
    printJson({ tickets, files })
    return 0
  },
}

export const agencyAnswerCommand: Command = {
  usage: '<ticket> <file> [options]',
  positionals: { least: 2, most: 2 },
  options: { ...reach, ...jsonOption },
  examples: [`gyeol agency answer 0f7c1c9e-3f5e-4f0e-9d3a-5b8f2d1c7a10 answers.csv ${reachWords}`],
  run: async (context) => {
    const { given, print, printJson } = context
    const [ticket = '', file = ''] = given.positionals
    await withClient(context, (client) => sendAnswers(client, ticket, file))
    print(`ticket ${ticket}: the answers were taken`)
    printJson({ ticket, file })
    return 0
  },
}

export const agencyDoubtCommand: Command = {
  usage: '<file> --project <project> [options]',
  positionals: { least: 1, most: 1 },
  options: { project: { value: 'project', meaning: 'its id or name' }, ...reach, ...jsonOption },
  examples: [`gyeol agency doubt serials.csv --project kcure ${reachWords}`],
  run: async (context) => {
    const { given, print, printJson } = context
    const [file = ''] = given.positionals
    const project = given.need('project')
    await withClient(context, (client) => sendDoubts(client, project, file))
    print('the list was taken; the next linkage makes cases of what is linked')
    printJson({ project, file })
    return 0
  },
}
