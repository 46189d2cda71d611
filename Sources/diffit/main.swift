import TensorCore

print(KernelTable.best.level, ThreadPool.availableCores)
