import type { Session } from '../session.ts'

/** More rounds than any graph of a linkage needs: labels jump, so a chain of n takes about log n. */
const roundsMax = 200

/**
 * Connected components by the least label: makes the table `<output>` (node, label) from the table `<edges>` (a, b), whose
 * nodes are of any type that has an order. A label is the least node of its component.
 */
export async function labelComponents(
  session: Session,
  edges: string,
  output: string,
): Promise<void> {
  await session.run(`
    create temp table ${output} as
    select distinct node, node as label
    from (select a as node from ${edges} union all select b from ${edges})`)
  for (let round = 0; round < roundsMax; round += 1) {
    await session.run(`
      create or replace temp table next_label as
      with nearest as (
        select node, min(label) as label, any_value(before) as before
        from (
          select node, label, label as before from ${output}
          union all
          select edge.b, there.label, null from ${edges} as edge join ${output} as there on there.node = edge.a
          union all
          select edge.a, there.label, null from ${edges} as edge join ${output} as there on there.node = edge.b
        )
        group by node
      )
      select nearest.node, least(nearest.label, beyond.label) as label, before
      from nearest
      join ${output} as beyond on beyond.node = nearest.label`)
    const [moved] = await session.rows<{ count: number }>(
      'select count(*) as count from next_label where label <> before',
    )
    await session.run(`
      drop table ${output};
      alter table next_label drop column before;
      alter table next_label rename to ${output}`)
    if (moved?.count === 0) return
  }
  throw new Error('components do not settle')
}
