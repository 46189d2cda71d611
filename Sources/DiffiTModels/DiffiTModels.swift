// DiffiTModels
