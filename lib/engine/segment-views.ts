/** The values of a profile's segmentations, each to be looked at as all rows are. */
import type { SegmentCounts } from './column-counts.ts';
import { type ColumnView, NO_DETAILS, type ViewSource, viewColumn } from './column-view.ts';
import { type Segmentation, SegmentValue } from './segment-counts.ts';
import { columnAt, type Shape, type ShapeColumn } from './shape.ts';
import { WeightSums } from './weights.ts';

export type SegmentView = SegmentCounts & {
  /** Counts are those of groups of bins, shown in their first. */
  column(index: number): ColumnView;
};

/** All rows of a profile. */
export interface ProfileCounts {
  readonly shape: Shape;
  readonly rows: number;
  /** One a slot. */
  readonly counts: Float64Array;
  /** Of the slots, then of the rows; `null` when every weight was 1. */
  readonly weights: WeightSums | null;
}

/** The kept values of each segmentation, and what is left over of it. */
export function segmentViews(segmentations: readonly Segmentation[], profile: ProfileCounts): SegmentView[] {
  const all = grouped(profile);
  return segmentations.flatMap((segmentation) =>
    [...segmentation.values(), segmentation.leftOver(all)].map(({ name, value }) => ({
      segment: name,
      rows: value.rows,
      column: (index: number) => segmentColumn(profile.shape, value, columnAt(profile.shape, index)),
    })),
  );
}

/** All rows, as if they were the value of a segment. */
function grouped({ shape, rows, counts, weights }: ProfileCounts): SegmentValue {
  const all = new SegmentValue(shape);
  const { groupOf, slots, groupSlots } = shape;
  if (weights !== null) all.weights = new WeightSums(groupSlots + 1);
  for (let slot = 0; slot < slots; slot++) {
    all.counts[groupOf[slot]!]! += counts[slot]!;
    if (weights !== null && counts[slot]! > 0) all.weights?.addFrom(groupOf[slot]!, weights, slot);
  }
  all.counts[groupSlots] = rows;
  if (weights !== null) all.weights?.addFrom(groupSlots, weights, slots);
  return all;
}

function segmentColumn(shape: Shape, { rows, counts, weights }: SegmentValue, column: ShapeColumn): ColumnView {
  const source: ViewSource = { rows, counts, weights, rowsSlot: shape.groupSlots, beyondSlot: 0 };
  const place = { offset: column.groupOffset, count: column.groupCount, shownIn: column.firstOfGroup };
  return viewColumn(column, source, place, NO_DETAILS);
}
