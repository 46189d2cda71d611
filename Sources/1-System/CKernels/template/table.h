// The table of one instruction set.
static const dk_table DK_NAME(table_) = {
    .size = sizeof(dk_table),
    .name = DK_LABEL,
    .vector_width = DK_WIDTH,
    .panel_columns = DK_COLUMNS,
    .f32 = kernels_f32,
    .bf16 = kernels_bf16,
    .scale_add = scale_add,
    .squared_error = squared_error,
    .absolute_error = absolute_error,
    .unit_distance = unit_distance,
    .squares = squares,
    .update = update,
};

const dk_table *DK_NAME(dk_table_)(void) { return &DK_NAME(table_); }
