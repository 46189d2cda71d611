// The update over flat ranges [begin, end).

// Adam (Kingma and Ba, arXiv:1412.6980) with decoupled weight decay (arXiv:1711.05101):
// m, v moments; gain = 1 - beta; step = lr / (1 - beta1^t); root2 = sqrt(1 - beta2^t); decay = 1 - lr weight_decay.
static void adam(const float *g, float factor, float gain1, float beta2, float gain2, float step, float root2,
                 float epsilon, float decay, int64_t begin, int64_t end, float *m, float *v, float *w) {
  FOR_VECTORS(begin, end) {
    const vf d = load_upto(g + i, part) * factor;
    const vf m1 = FMA(splat(gain1), d - load_upto(m + i, part), load_upto(m + i, part));
    const vf v1 = FMA(gain2 * d, d, beta2 * load_upto(v + i, part));
    store_upto(m + i, m1, part);
    store_upto(v + i, v1, part);
    store_upto(w + i, decay * load_upto(w + i, part) - step * m1 / (root(v1) / root2 + epsilon), part);
  }
}

// average = w + beta (average - w)
static void average(const float *w, float beta, int64_t begin, int64_t end, float *average) {
  FOR_VECTORS(begin, end) {
    const vf value = load_upto(w + i, part);
    store_upto(average + i, FMA(splat(beta), load_upto(average + i, part) - value, value), part);
  }
}
