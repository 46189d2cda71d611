// The table of one instruction set.
const dk_table DK_NAME(dk_table_) = {
    .name = DK_LABEL,
    .vector_width = DK_WIDTH,
    .pack = pack,
    .product = product,
    .weight_gradient = weight_gradient,
    .column_sums = column_sums,
};
